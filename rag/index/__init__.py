"""Papers on disk, ready to be searched: written by `build`, read by `live`."""

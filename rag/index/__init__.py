"""Papers on disk, ready to be searched: written by `build`, read by `live`.

build.py       papers -> a new build, its steps in order                          (the writer)
live.py        the live build, checked and opened for reading                     (the reader)
passages.py    paper -> passages that fit the embedder's window
vectors.py     the only door to chromadb
keywords.py    the only door to bm25s
exact.py       exact search over vectors: the measure of the store, and its stand-in
canonical.py   the files from which all else in a build can be made again
manifest.py    what a build says of itself; where things lie; hashes
locks.py       one builder, many readers
sources.py     which files make up the collection, and the papers they hold now
identity.py    which paper read again is which known one, so that ids are kept
content.py     papers -> sentences, passages and vectors, computing nothing twice
staging.py     a new build's way to its place, and the old ones' way out
verify.py      a staged build checked from a second process
"""

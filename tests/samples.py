"""Sample papers and answers for the tests of what is printed; made up, except for two titles of the collection."""

from __future__ import annotations

from rag.records import Answer, Citation, Evidence, Hit, Paper, Sentence, Statement

CALIBRATED = Paper(
    paper_id="arxiv:2311.14648",
    title="Calibrated Language Models Must Hallucinate",
    abstract="We show a lower bound. It holds for arbitrary facts under calibration.",
    authors=("A. Author", "B. Author"),
    year=2023,
    venue="Symposium on Examples",
    url="https://example.org/calibrated",
    doi="10.5555/calibrated",
    source="refs.bib",
    aliases=("calibrated23",),
)
UNDATED = Paper(
    paper_id="instructretro-0a1b2c",
    title="InstructRetro: Instruction Tuning post Retrieval-Augmented Pretraining",
    abstract="Retro 48B is the largest LLM pretrained with retrieval.",
)
HOSTILE = Paper(
    paper_id="hostile-ffffff",
    title="[bold]Title[/bold] <script>alert(1)</script> \x1b[31mred\x1b[0m \u202eevil [link](javascript:x) $x$",
    abstract="An abstract.",
    authors=("*A*. Author",),
    year=2020,
    url="javascript:alert(1)",
)
PAPERS = (CALIBRATED, UNDATED, HOSTILE)

HITS = (
    Hit(CALIBRATED, (), 0.0327868852, dense_rank=1, keyword_rank=2, similarity=0.8),
    Hit(UNDATED, (), 0.0161290322, dense_rank=3),
)
EVIDENCE = Evidence(CALIBRATED, Sentence(CALIBRATED.paper_id, 0, 0, 22, "We show a lower bound."), 1.0)

ANSWER = Answer(
    question="Do calibrated language models have to hallucinate?",
    answered=True,
    confidence="answer",
    statements=(
        Statement("Yes, for arbitrary facts.", (1,), "supported"),
        Statement("We show a lower bound.", (1, 2), "quoted"),
    ),
    citations=(Citation(1, CALIBRATED, (EVIDENCE,)), Citation(2, UNDATED)),
    hits=HITS,
    rejected=1,
    generator="scripted (test)",
    timings={"search_s": 0.05000001, "total_s": 3.1},
)
REFUSAL = Answer(
    question="What is the capital of France?",
    answered=False,
    confidence="refusal",
    hits=HITS,
    reason="no abstract comes close enough to the question",
)

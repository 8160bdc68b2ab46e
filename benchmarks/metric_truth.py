"""Our metrics beside figures that others published or that other programs give, from ../shared/data.

Every function returns rows: what was compared, with what, how many values, the largest difference between ours and
theirs in points of 0 to 100, and what the printed digits of theirs allow.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rouge_score.tokenizers import DefaultTokenizer
from sacrebleu.metrics.bleu import BLEU

from evaluation.metric import Metric, Rows, statistics
from evaluation.metrics import load
from evaluation.metrics.bleu import Bleu
from evaluation.metrics.rouge import Rouge, Rouge1, Rouge2, RougeL, RougeLsum
from evaluation.significance import paired

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
Row = dict[str, Any]
Pairs = list[tuple[str, list[str]]]
ROUGE: dict[str, type[Rouge]] = {"rouge1": Rouge1, "rouge2": Rouge2, "rougeL": RougeL, "rougeLsum": RougeLsum}
EXACT = 1e-9


class _Split(Bleu):
    """BLEU of texts that are split into tokens already."""

    tokenizer = "none"


BLEU_BY_TOKENIZER: dict[str, type[Metric]] = {"none": _Split, "13a": Bleu}


def read(name: str) -> Any:  # noqa: ANN401 - JSON
    """Return a file of the shared metric data."""
    content = (DATA / name).read_bytes()
    return json.loads(gzip.decompress(content) if name.endswith(".gz") else content)


def row(what: str, outside: str, pairs: Iterable[tuple[float, float]], allowed: float) -> Row:
    """Return a row of the table, from pairs of ours and theirs."""
    apart = [abs(float(ours) - theirs) for ours, theirs in pairs]
    found = {"what": what, "outside": outside, "values": len(apart)}
    return found | {"largest_difference": max(apart), "allowed": allowed, "kept": max(apart) <= allowed}


def rows_of(metric: Metric, pairs: Pairs) -> Rows:
    """Return the statistics of answers with references."""
    found = statistics(metric, [said for said, _ in pairs], [list(wanted) for _, wanted in pairs])
    return np.stack([one for one in found if one is not None])


def corpus(metric: Metric, pairs: Pairs) -> float:
    """Return the corpus value of answers with references."""
    return float(metric.corpus(rows_of(metric, pairs).sum(axis=0, keepdims=True))[0])


def bleu(tokenizer: str) -> Metric:
    """Return our BLEU with a tokenizer."""
    made = {"intl": "bleu@intl", "char": "bleu@char", "zh": "bleu@zh"}.get(tokenizer)
    return load(made) if made else BLEU_BY_TOKENIZER[tokenizer]()


def sacrebleu_cases() -> list[Row]:
    """Compare with the expected scores of sacrebleu's own tests."""
    given, source = read("metrics/sacrebleu_bleu_cases.json"), "the tests of sacrebleu 2.4.3"
    own: list[tuple[float, float]] = []
    through: list[tuple[float, float]] = []
    for case in given["corpus"]:
        pairs = _turned(case)
        if set(case["kwargs"]) <= {"tokenize"}:
            own.append((corpus(bleu(case["kwargs"].get("tokenize", "13a")), pairs), case["score"]))
        else:
            through.append((_sacrebleu(case, **case["kwargs"]), case["score"]))
    for case in given["statistics"]:
        (found,) = rows_of(load("bleu"), _turned(case))
        own += zip(found[2:], (*case["counts"], *case["totals"]), strict=True)
    for case in given["from_statistics_scale_0_1"]:
        sums = np.array([[case["hyp_len"], case["ref_len"], *case["counts"], *case["totals"]]], dtype=np.float64)
        own.append((float(load("bleu").corpus(sums)[0]), 100 * case["score"]))
    for name in ("raw_corpus_smooth_floor_0_01_scale_0_1", "effective_order_raw_floor_0_01_scale_0_1"):
        effective = name.startswith("effective")
        known = {"smooth_method": "floor", "smooth_value": 0.01, "force": True, "effective_order": effective}
        through += [(_sacrebleu(case, tokenize="none", **known), 100 * case["score"]) for case in given[name]]
    orders = [
        (corpus(load("bleu"), _turned(c)) if c["order"] == 4 else _sacrebleu(c, max_ngram_order=c["order"]), c)
        for c in given["max_ngram_order"]
    ]
    return [
        row("BLEU, settings that ours has", source, own, 1e-6),
        row("BLEU, others (sacrebleu itself)", source, through, 1e-6),
        row("BLEU of sentences", source, _sentence_cases(given), 1e-3),
        row("BLEU of 1 to 6 words", source, [(value, float(c["score_2dp"])) for value, c in orders], 0.005),
    ]


def _sentence_cases(given: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return ours and theirs; sacrebleu itself stands for smoothing and case that ours does not have."""
    found = []
    for name in ("sentence", "sentence_zero"):
        said, wanted = given[name]["hypothesis"], given[name]["reference"]
        for case in given[name]["cases"]:
            if case["smooth_method"] == "exp" and not case["lowercase"]:
                metric = bleu(case["tokenize"])
                value = metric.item(rows_of(metric, [(said, [wanted])])[0])
            else:
                known = {key: case[key] for key in ("smooth_method", "smooth_value", "lowercase", "tokenize")}
                value = BLEU(effective_order=True, **known).sentence_score(said, [wanted]).score
            found.append((float(value or 0), case["score"]))
    return found


def _turned(case: Mapping[str, Any]) -> Pairs:
    return [(said, list(some)) for said, *some in zip(case["hypotheses"], *case["references"], strict=False)]


def _sacrebleu(case: Mapping[str, Any], **known: Any) -> float:  # noqa: ANN401 - sacrebleu's own arguments
    return float(BLEU(**known).corpus_score(case["hypotheses"], case["references"]).score)


def _value(metric: Rouge, said: str, wanted: str) -> float:
    """Return the value of a text; 0 where the metric is undefined, as rouge_score has it."""
    made = metric.compare(said, [wanted])
    return 0.0 if made is None else float(made[0])


def rouge_cases() -> list[Row]:
    """Compare with ROUGE-1.5.5, whose figures stand in the tests of rouge_score."""
    stemmed = DefaultTokenizer(use_stemmer=True).tokenize
    pairs = []
    for case in read("metrics/rouge_cases.json")["cases"]:
        metric = ROUGE[case["rouge_type"]]
        made = metric(stemmed) if case["use_stemmer"] else metric()
        # rouge_score cuts sentences at line ends alone
        target, said = (case[side] + "\n" for side in ("target", "prediction"))
        pairs.append((_value(made, said, target), 100 * case["fmeasure"]))
    return [row("ROUGE-1, -2, -L, -Lsum", "ROUGE-1.5.5 and the tests of rouge_score", pairs, 1e-2)]


def squad_predictions() -> list[Row]:
    """Compare with the figures of published predictions for SQuAD 1.1."""
    published = read("metrics/squad-predictions.logistic-regression.json")
    articles = read("squad/squad-v1.1-dev.first24.json.gz")["data"]
    asked = [q for article in articles for p in article["paragraphs"] for q in p["qas"]]
    pairs = [(published["predictions"].get(q["id"], ""), [a["text"] for a in q["answers"]]) for q in asked]
    source, known = f"published predictions, {len(pairs):,} questions", published["this_split"]
    compared = (
        ("squad_em", "exact_match", EXACT),
        ("squad_f1", "f1", EXACT),
        # punctuation of every script is dropped here, which SQuAD's script leaves in
        ("em", "exact_match", 0.1),
        ("f1", "f1", 0.1),
    )
    rows = []
    for name, key, allowed in compared:
        value = corpus(load(name), pairs)
        rows.append(row(name, source, [(value, known[key])], allowed) | {"ours": value, "theirs": known[key]})
    return rows


def wmt15() -> list[Row]:
    """Compare with mteval-v13a and Moses' multi-bleu on 100 Russian sentences."""
    given = read("metrics/wmt15_en_ru_100.json")
    split = list(zip(given["tokenized_hypothesis"], ([text] for text in given["tokenized_reference"]), strict=True))
    plain = list(zip(given["hypothesis"], ([text] for text in given["reference"]), strict=True))
    moses, mteval = given["multi_bleu_on_tokenized"], given["mteval13a"]
    sums = rows_of(_Split(), split).sum(axis=0)
    precisions = zip(100 * sums[2:6] / sums[6:10], moses["precisions"], strict=True)
    lengths = [(sums[0], moses["hyp_len"]), (sums[1], moses["ref_len"])]
    whole, ours, theirs = corpus(_Split(), split), corpus(load("bleu"), plain), given["sacrebleu_2_4_3"]["raw_13a"]
    return [
        row("BLEU of 100 Russian sentences, split", "Moses multi-bleu", [(whole, moses["bleu"])], 0.005),
        row("its precisions", "Moses multi-bleu", precisions, 0.05),
        row("its lengths", "Moses multi-bleu", lengths, 0),
        row("BLEU of the same, plain", "mteval-v13a", [(ours, 100 * mteval["bleu"])], 0.05),
        row("BLEU of the same, plain, by sacrebleu", "sacrebleu 2.4.3", [(ours, theirs)], EXACT),
    ]


def wmt17() -> Iterator[Row]:
    """Yield comparisons with corpus scores and published p-values of eight systems of WMT17."""
    given = read("metrics/wmt17_en_de.json.gz")
    wanted = [[text] for text in given["reference"]]
    kinds: tuple[tuple[str, Metric], ...] = (
        ("bleu_13a", load("bleu")),
        ("bleu_none", _Split()),
        ("chrf2", load("chrf")),
    )
    for key, metric in kinds:
        pairs = []
        for system in given["systems"]:
            pairs.append((corpus(metric, list(zip(system["outputs"], wanted, strict=True))), system[key]))
        yield row(f"{key} of 8 systems of WMT17", "sacrebleu 2.4.3", pairs, EXACT)
    yield p_values(given, resamples=10_000)


def p_values(given: Mapping[str, Any], resamples: int) -> Row:
    """Compare the p-values of differences in BLEU with those that MultEval gave for them, in per cent."""
    wanted, bleu_of = [[text] for text in given["reference"]], _Split()
    made = {s["system"]: rows_of(bleu_of, list(zip(s["outputs"], wanted, strict=True))) for s in given["systems"]}
    base = made[given["baseline"]]
    pairs = []
    for system in given["systems"]:
        if known := system["multeval_p_bleu_ter"]:
            found = paired(bleu_of, made[system["system"]], base, resamples=resamples, seed=0).p
            pairs.append((100 * (found or 0.0), 100 * known[0]))
    # two approximations by 10,000 randomisations differ by up to three times sqrt(2 p (1 - p) / 10,000)
    compared = row("p-values of BLEU differences, in per cent", "MultEval", pairs, 2.1)
    return compared | {"ours": [round(ours, 3) for ours, _ in pairs], "theirs": [theirs for _, theirs in pairs]}


def dolly() -> list[Row]:
    """Compare with scores of 1,500 answers of FLAN-T5, whole and one by one."""
    given = read("metrics/dolly_flan-t5-base.json.gz")
    pairs = [(item["prediction"], [item["reference"]]) for item in given["items"]]
    source = "sacrebleu 2.4.3, 1,500 answers"
    single = load("bleu")
    singles = [single.item(one) or 0.0 for one in rows_of(single, pairs)]
    theirs = [item["sentence_bleu"] for item in given["items"]]
    rows = [
        row("BLEU", source, [(corpus(single, pairs), given["corpus_bleu"])], EXACT),
        row("chrF", source, [(corpus(load("chrf"), pairs), given["chrf2"])], EXACT),
        row("BLEU of every answer", source, zip(singles, theirs, strict=True), EXACT),
    ]
    stemmed = DefaultTokenizer(use_stemmer=True).tokenize
    for name, key in (("rouge1", "rouge1_f"), ("rouge2", "rouge2_f"), ("rougeL", "rougeL_f")):
        scorer = ROUGE[name](stemmed)
        made = [_value(scorer, said, text) for said, (text,) in pairs]
        each = [100 * item[key] for item in given["items"]]
        whole = (float(np.mean(made)), 100 * given["rouge"][name]["fmeasure"])
        both = [*zip(made, each, strict=True), whole]
        rows.append(row(f"{name}, stemmed, of every answer and of all", "rouge_score 0.1.2", both, EXACT))
    return rows


def published() -> list[Row]:
    """Return the comparisons with published figures."""
    return [*sacrebleu_cases(), *rouge_cases(), *squad_predictions(), *wmt15(), *dolly(), *wmt17()]

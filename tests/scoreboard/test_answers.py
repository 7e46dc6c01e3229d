"""Claims in one unit, questions that several works answer, and words that follow from verdicts."""

import dataclasses
import math

import pandas as pd
import pytest

from fer_lib.results import row as result_row
from fer_lib.scoreboard import claims, verdicts
from fer_lib.scoreboard.answers import QUESTIONS, Question, agreement, by_question, effects, kind, leaning
from fer_lib.scoreboard.claims import Claim, read_claims, toml

GAIN = Claim("gain", "ciao", "t", "A.", "V", "c", "f", {"regime": "new"}, {"regime": "old"}, "higher", 0.5)
REST = dataclasses.replace(GAIN, id="rest", paper="p-affmem", direction="lower", smallest=2.0)


def rows(**by_paper):
    return pd.DataFrame(
        [
            result_row(paper=paper, dataset="a", regime=side, metric="m", seed=s, value=v, commit="")
            for paper, pairs in by_paper.items()
            for s, pair in enumerate(pairs)
            for side, v in zip(("new", "old"), pair, strict=True)
        ]
    )


def test_effects_are_in_units_of_what_matters():
    some = rows(ciao=[(1.0, 0.0), (3.0, 0.0)])
    shown = effects([GAIN, REST], verdicts([GAIN, REST], some)).set_index("claim")
    assert shown.loc["gain", "mean"] == pytest.approx(2.0 / 0.5)
    whole = verdicts([GAIN, REST], some).set_index(["claim", "dataset"]).loc[("gain", "")]
    for end in ("low", "plain_high", "seen"):
        assert shown.loc["gain", end] == pytest.approx(whole[end] / 0.5)
    assert math.isnan(shown.loc["rest", "mean"])
    assert (shown.loc["rest", "verdict"], shown.loc["gain", "theme"]) == ("not run", "t")
    with pytest.raises(ValueError, match=r"tell of every claim; got none of \['rest'\]"):
        effects([GAIN, REST], verdicts([GAIN], some))


def shown(*lines):
    columns = ["claim", "paper", "direction", "verdict", "mean"]
    return pd.DataFrame(lines, columns=columns)


@pytest.mark.parametrize(
    ("verdict", "wanted"),
    [
        (("holds", "holds"), "agree: yes"), (("fails", "fails"), "agree: no"), (("holds", "fails"), "differ"),
        (("holds", "undecided"), "one work decided"), (("fails", "not run"), "one work decided"),
        (("undecided", "not run"), "open"), (("not run", "not run"), "not run"),
    ],
)  # fmt: skip
def test_works_agree_only_where_two_decided(verdict, wanted):
    pair = shown(("a", "ciao", "higher", verdict[0], 1.0), ("b", "p-affmem", "lower", verdict[1], -1.0))
    (line,) = agreement(by_question(pair, [Question("?", ("a", "b"))])).to_dict("records")
    assert line["answer"] == wanted
    assert line["works"] == sum(one != "not run" for one in verdict)


def test_two_claims_of_one_work_are_one_work():
    pair = shown(("a", "ciao", "higher", "holds", 1.0), ("b", "ciao", "higher", "holds", 2.0))
    (line,) = agreement(by_question(pair, [Question("?", ("a", "b"))])).to_dict("records")
    assert (line["answer"], line["works"], line["holds"], line["leaning"]) == ("one work decided", 1, 2, 1.0)
    apart = pair.assign(verdict=["holds", "fails"])
    assert agreement(by_question(apart, [Question("?", ("a", "b"))]))["answer"].tolist() == [
        "one work decided"
    ]


def test_two_works_that_decide_apart_differ_whatever_a_third_says():
    three = shown(
        ("a", "ciao", "higher", "holds", 1.0), ("b", "ciao", "higher", "fails", -2.0),
        ("c", "p-affmem", "higher", "holds", 2.0),
    )  # fmt: skip
    assert agreement(by_question(three, [Question("?", ("a", "b", "c"))]))["answer"].tolist() == ["differ"]


def test_claims_of_keeping_up_lean_from_minus_what_matters():
    assert [leaning("not higher", mean) for mean in (-1.2, -0.8, 0.3, math.nan)] == [-1, 1, 1, 0]
    assert leaning("not lower", -1.2, smallest=2.0) == 1
    assert [leaning(one, -0.3) for one in ("higher", "lower", "same")] == [-1, -1, 0]
    pair = shown(
        ("a", "ciao", "not lower", "undecided", -0.5), ("b", "p-affmem", "not higher", "holds", -2.0)
    )
    assert agreement(by_question(pair, [Question("?", ("a", "b"))]))["leaning"].tolist() == [0.5]


def test_claims_of_another_list_are_left_out():
    pair = shown(("a", "ciao", "same", "holds", 0.1))
    given = by_question(pair, [Question("first?", ("a", "zzz")), Question("second?", ("zzz",))])
    assert given["question"].tolist() == ["first?"]
    assert agreement(given)["leaning"].isna().all()  # sameness leans nowhere
    assert agreement(by_question(pair, [])).empty


def test_a_question_does_not_mix_kinds():
    pair = shown(("a", "ciao", "same", "holds", 1.0), ("b", "ciao", "higher", "holds", 2.0))
    with pytest.raises(ValueError, match=r"difference and same for 'Mixed\?'"):
        by_question(pair, [Question("Mixed?", ("a", "b"))])


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.words)
def test_the_books_questions_are_asked_by_two_works(question):
    known = {claim.id: claim for claim in claims()}
    asked = [known[name] for name in question.claims]
    assert len({claim.paper for claim in asked}) >= 2
    assert len({kind(claim.direction) for claim in asked}) == 1


def test_the_five_works_all_answer_something():
    known = {claim.id: claim.paper for claim in claims()}
    assert {known[name] for question in QUESTIONS for name in question.claims} == set(known.values())


def test_a_claim_is_written_as_it_is_read(tmp_path):
    odd = dataclasses.replace(GAIN, sentence='A "mask" | helps.', by=("column", "metric"), smallest=1e-5)
    path = tmp_path / "claims.toml"
    path.write_text("\n".join(toml(claim) for claim in (*claims(), odd)), encoding="utf-8")
    assert read_claims(path) == (*claims(), odd)

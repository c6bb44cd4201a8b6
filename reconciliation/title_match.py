"""Pairs of records over tools whose titles say the same, for records that nothing else ties."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from reconciliation.engine import Engine
from reconciliation.titles import fold, overlap, words

_ALIKE = 0.8  # shared words over all words
_SHORTEST = 12  # letters a title must have before a slip is believed to be one
_CLEARLY = 0.02  # how much worse the next best candidate must be
_RARE = 100  # a word in fewer titles than this is a block of its own
_BLOCK = 400  # larger blocks of word pairs are skipped: such titles are not telling
_KEY_WORDS = 4  # the rarest words of a title that make its pairs


def title_pairs(state: ir.Table, now: ir.Table, engine: Engine) -> ir.Table:
    """Edges (a, b, score, evidence) between records of different sources.

    One side at least is alone so far; each is the other's best and clearly better than the next; neither
    side's group already holds a record of the other's source; numbers in the titles agree.
    """
    titles = engine.keep(_titles(state, now))
    scored = engine.keep(_scored(engine.keep(_candidates(titles, engine)), titles, state))
    back = scored.select(
        "score", a="b", b="a", source_a="source_b", source_b="source_a", title_a="title_b", title_b="title_a"
    )
    either = ibis.union(scored.select(*back.columns), back)
    window = ibis.window(group_by=["a", "source_b"], order_by=[ibis.desc("score"), "b"])
    either = either.mutate(place=ibis.row_number().over(window), next=either.score.lead().over(window))
    best = engine.keep(either.filter(either.place == 0, either.score - either.next.fill_null(0.0) >= _CLEARLY))
    mutual = best.semi_join(best.select(x="b", y="a"), [("a", "x"), ("b", "y")])
    return mutual.filter(mutual.a < mutual.b).select(
        "a", "b", "score", evidence=ibis.literal("titles alike: ") + mutual.title_a + " | " + mutual.title_b
    )


def _titles(state: ir.Table, now: ir.Table) -> ir.Table:
    """Records with a telling title: one that is not used twice in their own source."""
    told = now.filter(now.entity == "item", now.field == "title", now.value.notnull())
    told = told.select("source", "record", title="value", plain=fold(told.value))
    grouped = state.mutate(size=state.count().over(group_by="root"))
    table = grouped.join(told.filter(told.plain != ""), ["source", "record"])
    table = table.mutate(namesakes=table.count().over(group_by=["source", "plain"]))
    digits = table.plain.re_replace(r"[^0-9 ]", "").re_replace(" +", " ").strip()
    table = table.filter(table.namesakes == 1)
    return table.select(
        "node", "source", "root", "title", "plain", alone=table["size"] == 1, words=words(table.plain), digits=digits
    )


def _candidates(titles: ir.Table, engine: Engine) -> ir.Table:
    """(a, b) node pairs worth a look: they share a rare word, or two of their rarest words."""
    word = titles.select("node", "source", "alone", word="words").unnest("word")
    word = engine.keep(word.mutate(frequency=word.count().over(group_by="word")))
    rank = ibis.row_number().over(group_by="node", order_by=["frequency", "word"])
    rarest = word.mutate(rank=rank).filter(lambda t: t["rank"] < _KEY_WORDS)
    rare = word.filter(word.frequency <= _RARE).select("node", "source", "alone", block="word")
    twin = rarest.view()
    pairs = rarest.join(twin, [rarest.node == twin.node, rarest.word < twin.word])
    pairs = pairs.select("node", "source", "alone", block=pairs.word + " " + pairs.word_right)
    single = rarest.mutate(count=rarest.count().over(group_by="node")).filter(lambda t: t["count"] == 1)
    block = ibis.union(rare, pairs, single.select("node", "source", "alone", block="word"))
    block = engine.keep(
        block.mutate(members=block.count().over(group_by="block")).filter(lambda t: t.members <= _BLOCK)
    )
    lone = block.filter(block.alone).select("block", x="node", source_x="source")
    met = lone.join(block.select("block", y="node", source_y="source"), "block")
    met = met.filter(met.source_x != met.source_y)
    return met.select(a=ibis.least(met.x, met.y), b=ibis.greatest(met.x, met.y)).distinct()


def _scored(candidate: ir.Table, titles: ir.Table, state: ir.Table) -> ir.Table:
    """Candidates that say the same, with how much alike they are."""
    columns = {c: c for c in ("source", "root", "title", "plain", "words", "digits")}
    left = titles.select(a="node", **{f"{c}_a": c for c in columns})
    right = titles.select(b="node", **{f"{c}_b": c for c in columns})
    pair = candidate.join(left, "a").join(right, "b").filter(lambda t: t.digits_a == t.digits_b)
    longest = ibis.greatest(pair.plain_a.length(), pair.plain_b.length())
    # One letter more, less or other, or two swapped. Two other letters make another name: Belyaward, Selvaward.
    slips = pair.plain_a.levenshtein(pair.plain_b)
    swapped = (slips == 2) & (_letters(pair.plain_a) == _letters(pair.plain_b))
    slipped = (longest >= _SHORTEST) & ((slips == 1) | swapped)
    written = ibis.ifelse((slips == 0) | slipped, 1 - slips / longest, 0.0)
    shared = overlap(pair.words_a, pair.words_b)
    score = ibis.greatest(written, ibis.ifelse(shared >= _ALIKE, shared, 0.0))
    pair = pair.mutate(score=score.round(6)).filter(lambda t: t.score > 0)
    return _without_rivals_in_group(pair, state)


def _letters(text: ir.StringValue) -> ir.StringValue:
    return text.split("").sort().join("")


def _without_rivals_in_group(pair: ir.Table, state: ir.Table) -> ir.Table:
    """Leaves out pairs where one side's group already holds a record of the other side's source."""
    held = state.select("root", "source").distinct()
    for root, source in (("root_a", "source_b"), ("root_b", "source_a")):
        here = held.select(**{root: "root", source: "source"})
        pair = pair.anti_join(here, [root, source])
    return pair

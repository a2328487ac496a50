"""Prompts of a wished number of tokens that have nothing in common.

Each is a row of words drawn at random from a list of short common ones. In the vocabularies in use
today such a word with the space before it is one token, so a prompt of n words has n tokens and one
or none for the beginning; how many exactly, each server says itself (fit). Random words make the
beginnings differ from the first word on: no cache of prefixes helps anybody.
"""

import random

WORDS = (
    "time year people way day man thing woman life child world school state family student group "
    "country problem hand part place case week company system program question work government "
    "number night point home water room mother area money story fact month lot right study book "
    "eye job word business issue side kind head house service friend father power hour game line "
    "end member law car city community name president team minute idea body information back "
    "parent face others level office door health person art war history party result change "
    "morning reason research girl guy moment air teacher force education foot boy age policy "
    "music process sense nation plan college interest death experience effect use class control "
    "care field development role effort rate heart drug show leader light voice wife police mind "
    "price report decision son view relationship town road arm difference value building action "
    "season society tax director position player record paper space ground form event official "
    "matter center couple site project star table need court oil situation cost industry figure "
    "street image phone data picture practice piece land product doctor wall patient worker news "
    "test movie north love step baby computer type film tree source hair window evidence culture "
    "chance brother energy period course summer plant opportunity term letter condition choice "
    "rule south floor campaign material population call economy hospital church risk fire future"
).split()


def row_of_words(count, seed):
    """A prompt of `count` words; another seed, other words."""
    chosen = random.Random(seed)
    return "".join(" " + chosen.choice(WORDS) for _ in range(count))


def fit(tokens, count_tokens, seed=0):
    """How many words make a prompt of `tokens` tokens, by count_tokens(prompt) of the server."""
    words = tokens
    for _ in range(4):
        found = count_tokens(row_of_words(words, seed))
        if found == tokens:
            return words
        words += tokens - found
        if words < 1:
            break
    raise ValueError(f"no number of words makes a prompt of {tokens} tokens here; "
                     f"{words} were tried last")

"""How well a model does as Pepper's: days of a user played on a whole engine, judged by code from what came of them.

A check reads the store and the outside (what was sent, files, the calendar), and a reply only for the facts that it
must hold. ``scenarios/`` has the days by their noun, each with three players that stand in for a model: the good one
must pass, the bad and the malicious one must fail where they are meant to. ``make eval`` plays them with a real model.
"""

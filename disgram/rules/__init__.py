"""Which posts a job forwards, and whom they ping: pure rules about a parsed post.

Rules.of(texts)      what a job says, checked and compiled once per worker     rules.py
Rules.verdict(post)  None, or the rule that leaves the post out
Rules.pings(post)    whom the post's first message mentions                     mention.py
"""

"""Reads t.me's preview pages; the only package that knows their HTML and CSS class names.

`split_page` (split.py) splits a page into posts with regular expressions, so that a poll without new posts
is cheap. `parse_post` (parser.py) reads one post, new or changed, with BeautifulSoup: rich_text.py reads
inline markup, media.py files, blocks.py everything else, and dom.py holds what they share. fingerprint.py
tells whether a post has changed.

No requests, and nothing about Discord.
"""

from disgram.telegram.page.fingerprint import fingerprint
from disgram.telegram.page.parser import parse_post
from disgram.telegram.page.split import own_page_words, published_at, split_page, split_posts

__all__ = ["fingerprint", "own_page_words", "parse_post", "published_at", "split_page", "split_posts"]

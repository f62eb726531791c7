"""t.me's preview pages, read: the only place that knows their HTML and CSS class names.

A page is read twice, at two prices. `split_page` splits it into posts with regular expressions (feed.py), so
that a poll that finds nothing new costs next to nothing; `parse_post` reads one post with BeautifulSoup
(post.py), for the posts that are new or changed. Of the readers, rich_text.py turns inline markup into
runs, media.py what comes as a file, parts.py everything else; markup.py holds what they share.

Never touches the network and never says a word of Discord's.
"""

from disgram.telegram.page.fingerprint import fingerprint
from disgram.telegram.page.parser import parse_post
from disgram.telegram.page.split import slices, split_page

__all__ = ["fingerprint", "parse_post", "slices", "split_page"]

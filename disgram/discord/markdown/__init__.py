"""`RichText` -> Discord Markdown that shows the same text, in parts of a given length where needed.

blocks.py renders and cuts whole texts, inline.py nests styles and links, escape.py escapes by context. The
package knows no message and no embed; limits are arguments.
"""

from disgram.discord.markdown.blocks import render, split, take, without_formatting
from disgram.discord.markdown.escape import ZWSP, cleaned, invisible, too_long

__all__ = ["ZWSP", "cleaned", "invisible", "render", "split", "take", "too_long", "without_formatting"]

"""Numbers in the words of t.me's pages: sizes, durations, counts."""

from __future__ import annotations


def size_words(size: int) -> str:
    """Bytes -> "52.6 KB"; empty for none."""
    if size < 1024:
        return f"{size} B" if size > 0 else ""
    value, units = size / 1024, ("KB", "MB", "GB")
    for unit in units[:-1]:
        if value < 1023.95:
            return f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} {units[-1]}"


def duration_words(seconds: float) -> str:
    """Seconds -> "0:09" or "1:02:03"; empty for none. As on the page a fraction is left out."""
    if not 0 < seconds < 10**9:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count_words(count: int) -> str:
    """A count -> "222", "1.2K", "15.4K", "2M"."""
    for limit, letter in ((10**6, "M"), (10**3, "K")):
        if count >= limit:
            return f"{count * 10 // limit / 10:.1f}".removesuffix(".0") + letter
    return str(max(count, 0))


def plural(count: int, word: str) -> str:
    """ "1 winner", "3 winners"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"

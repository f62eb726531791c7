"""Posts of kinds and in shapes that no real page at hand shows, and hostile ones: name -> the post's HTML.

The markup follows what is known of t.me; where nothing is known it is what other readers of t.me expect, or
what an ill-meaning author could get t.me to write.
"""

# ruff: noqa: E501 - markup stays in one piece

from __future__ import annotations

from tests.builders.pages import (
    album,
    animated_sticker,
    custom_emoji,
    document,
    emoji,
    forward,
    gif,
    keyboard,
    link_preview,
    location,
    partly_supported,
    photo,
    picture,
    poll,
    post,
    reply,
    round_video,
    sticker,
    text,
    too_big_video,
    via_bot,
    video,
    video_sticker,
    voice,
)

ODD_POSTS: dict[str, str] = {
    "u s code pre": post(
        5,
        text(
            "<u>u</u> <s>s</s> <code>co_de*</code> <strike>x</strike><del>d</del><em>e</em><strong>st</strong><ins>i</ins>"
        ),
    ),
    "pre lang": post(
        5, text('before<pre><code class="language-python">def f():\n    return "a*b"\n</code></pre>after')
    ),
    "pre plain br": post(5, text("before<br/><pre>line1<br/>  line2\n\tline3</pre><br/>after")),
    "pre with backticks": post(5, text("<pre>a\n```\nb\n```</pre>")),
    "pre twice": post(5, text("<pre>a</pre><pre>b</pre>")),
    "pre in quote": post(5, text("<blockquote>q<pre>x\ny</pre>z</blockquote>w")),
    "expandable": post(5, text("<blockquote expandable>one<br/>two<br/><br/>three</blockquote>after")),
    "quotes": post(5, text("<blockquote>one</blockquote><blockquote>two</blockquote>")),
    "quote nested styles": post(
        5, text('<blockquote><b>one<br/>two</b> <a href="https://a.b/c_d">x</a></blockquote><br/>after')
    ),
    "bold over quote": post(5, text("<b>a<blockquote>b</blockquote>c</b>")),
    "spoiler lines": post(5, text("<tg-spoiler>a<br/>b<br/><br/>c</tg-spoiler>")),
    "spoiler in quote": post(5, text("<blockquote>a <tg-spoiler>b<br/>c</tg-spoiler></blockquote>")),
    "spoiler across quote": post(5, text("<tg-spoiler>x<blockquote>a</blockquote>y</tg-spoiler>")),
    "strike spoiler pipes": post(5, text("<tg-spoiler>a||b|</tg-spoiler> <s>a~~b~</s>")),
    "link label url": post(5, text('<a href="https://evil.com/">https://good.com/a</a>')),
    "link label bracket": post(5, text('<a href="https://a.b/">[x](https://y.z)</a> and [a](b)')),
    "link doubly": post(5, text('<a href="https://a.b/?x=1&amp;amp;y=2">l</a>')),
    "link with paren": post(
        5, text('<a href="https://a.b/x_(y)_z">l</a> <a href="https://a.b/x_(y)_z">https://a.b/x_(y)_z</a>')
    ),
    "link bare dots": post(
        5,
        text(
            'see <a href="https://a.b/c.">https://a.b/c.</a> and <a href="http://x.y/?a=b&amp;c=d">x.y/?a=b&amp;c=d</a>.'
        ),
    ),
    "link bare nospace": post(5, text('(<a href="https://a.b/c">https://a.b/c</a>)<b>bold</b>')),
    "link no scheme label": post(
        5, text('<a href="http://example.org/">example.org</a>, <a href="https://t.me/x">t.me/x</a>')
    ),
    "link with emoji": post(5, text(f'<a href="https://a.b/">{emoji("🔥")} fire</a>')),
    "link only emoji": post(5, text(f'<a href="https://a.b/">{emoji("🔥")}</a>')),
    "link custom emoji": post(5, text(f'<a href="https://a.b/"><b>{custom_emoji("🔥")}x</b></a>')),
    "link breaks": post(5, text('<a href="https://a.b/">one<br/>two</a>')),
    "link long": post(5, text('<a href="https://a.b/%s">x</a>' % ("q" * 1500))),
    "link idn": post(5, text('<a href="https://пример.рф/путь?ы=1">x</a>')),
    "link spaces": post(5, text('<a href="https://a.b/c d">x</a>')),
    "hashtag cyr": post(
        5, text('<a href="?q=%23%D0%A0">#Р</a> <a href="?q=%23a_b">#a_b</a> <a href="?q=%24BTC">$BTC</a>')
    ),
    "mention": post(
        5, text('<a href="https://t.me/some_user_name" target="_blank">@some_user_name</a>, @everyone <@1>')
    ),
    "phone": post(5, text('<a href="tel:+123456">+123 456</a>')),
    "rtl": post(5, text("<b>שלום</b> عالم &#8206;abc&#8207;")),
    "zwj": post(5, text("".join(emoji(c) for c in "👨‍👩‍👧‍👦🏳️‍🌈👍🏽🇷🇺"))),
    "nbsp": post(5, text("a&nbsp;&nbsp;b&nbsp;<b>&nbsp;c&nbsp;</b>d")),
    "spaces": post(5, text("a   b\n  c<br/>   d<br/>\n e")),
    "blank lines": post(5, text("a<br/><br/><br/><br/>b")),
    "leading br": post(5, text("<br/><br/>a<br/>")),
    "lists": post(
        5,
        text(
            "- a<br/>* b<br/>+ c<br/>1. d<br/>2) e<br/>• f<br/># g<br/>#h<br/>-# i<br/>&gt; j<br/>&gt;&gt;&gt; k"
        ),
    ),
    "bold then list": post(5, text("<b>- a</b><br/><i># b</i><br/><b>1.</b> c<br/><b>1</b>. c")),
    "headline in spoiler": post(5, text("<tg-spoiler># a<br/>- b</tg-spoiler>")),
    "img alt": post(5, text('x <img class="emoji" alt="😀" src="https://a.b/c.png"> y')),
    "custom emoji empty": post(5, text('<tg-emoji emoji-id="1"></tg-emoji>x')),
    "unknown inline": post(
        5, text('<tg-foo>x</tg-foo> <mark>y</mark> <sub>1</sub><sup>2</sup> <span class="q">z</span>')
    ),
    "nested wrap": post(5, text(text("<b>a</b><br/>b"))),
    "unsup beside": post(5, partly_supported(text(f"x {custom_emoji('a')}"))),
    "all media": post(
        5,
        photo(5),
        video(6),
        gif(7),
        too_big_video(8),
        round_video(),
        voice(9),
        document(10, "a_b*c.pdf", "1 MB"),
        document(11, "T", "P", music=True),
        sticker(),
        animated_sticker(),
        video_sticker(),
        text("x"),
    ),
    "album10": post(
        5, album(*[photo(i, f"p{i}") for i in range(5, 14)], video(14, "v"), caption="cap <b>x</b>")
    ),
    "album 2 same": post(5, album(photo(5, "p"), photo(6, "p"))),
    "spoiler photo": post(
        5, photo(5, "p", extra_class="media_spoiler"), video(6, "v", extra_class="tgme_media_spoiler")
    ),
    "poll md": post(
        5, poll("*Q*_?_", "Anonymous Poll", ("a*b", "10%"), ("||c||", "90%"), ("`d`", "0%")), voters="1"
    ),
    "poll nopercent": post(5, poll("Q", "Anonymous Poll", ("a", ""), ("b", ""))),
    "venue": post(5, location("Café *x*", "Rue # 1")),
    "loc": post(5, location()),
    "reply": post(5, reply("Ann *x*", "quoted <b>b</b><br/>more"), text("answer")),
    "reply meta": post(
        5,
        reply("Ann", "Video", quote_class="tgme_widget_message_metatext js-message_reply_text"),
        text("answer"),
    ),
    "reply no author": post(
        5,
        '<a class="tgme_widget_message_reply" href="https://t.me/harbour/3"><div class="tgme_widget_message_text js-message_reply_text" dir="auto">q</div></a>',
        text("answer"),
    ),
    "reply nolink": post(
        5,
        '<div class="tgme_widget_message_reply"><div class="tgme_widget_message_author"><span class="tgme_widget_message_author_name">A</span></div><div class="tgme_widget_message_text js-message_reply_text" dir="auto">q</div></div>',
        text("answer"),
    ),
    "fwd": post(5, forward("N *a*", "https://t.me/a/1"), text("t")),
    "fwd auth": post(5, forward("N", "https://t.me/a/1", "Auth"), text("t")),
    "fwd none": post(5, forward("N"), text("t")),
    "fwd sig in paren": post(
        5,
        '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;<a class="tgme_widget_message_forwarded_from_name" href="https://t.me/a/1"><span dir="auto">N</span></a>&nbsp;(<span class="tgme_widget_message_forwarded_from_author" dir="auto">X</span>)</div>',
        text("t"),
    ),
    "via": post(5, text("x"), author_line=via_bot("gif")),
    "via in fwd": post(
        5,
        '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;<span class="tgme_widget_message_forwarded_from_name">N</span> via <a class="tgme_widget_message_via_bot" href="https://t.me/gif">@gif</a></div>',
        text("t"),
    ),
    "buttons": post(
        5, text("x"), below=keyboard((("A *b*", "https://a.b/c"), ("cb", "")), (("D", "tg://x"),))
    ),
    "preview full": post(
        5,
        text("x"),
        link_preview(
            picture("link_preview_right_image", "r.jpg")
            + '<div class="link_preview_site_name">S*</div><div class="link_preview_title">T_t_</div><div class="link_preview_description">D<br/>e '
            + emoji("x")
            + "</div>"
        ),
    ),
    "preview long": post(
        5,
        text("x"),
        link_preview(
            '<div class="link_preview_site_name">S</div><div class="link_preview_title">'
            + "T " * 200
            + '</div><div class="link_preview_description">'
            + "D<br/>" * 900
            + "</div>"
        ),
    ),
    "preview image only": post(5, text("x"), link_preview(picture("link_preview_image", "r.jpg"))),
    "preview video": post(
        5,
        text("x"),
        link_preview(
            '<div class="link_preview_site_name">S</div><div class="link_preview_video_player"><i class="link_preview_video_thumb" style="background-image:url(\'https://cdn4.telesco.pe/file/th\')"></i><video class="link_preview_video" src="https://cdn4.telesco.pe/file/v.mp4?token=1"></video><time class="message_video_duration">0:30</time></div>'
        ),
    ),
    "preview video nofile": post(
        5,
        text("x"),
        link_preview(
            '<div class="link_preview_site_name">S</div><div class="link_preview_video_player"><i class="link_preview_video_thumb" style="background-image:url(\'https://cdn4.telesco.pe/file/th\')"></i><time class="message_video_duration">0:30</time></div>'
        ),
    ),
    "preview desc link": post(
        5,
        text("x"),
        '<div class="tgme_widget_message_link_preview" href="https://a.b/"><div class="link_preview_site_name">S</div><div class="link_preview_description">D <a href="https://x.y/z">z</a> <b>bold</b></div></div>',
    ),
    "story2": post(
        5,
        '<a class="tgme_widget_message_story_wrap" href="https://t.me/x/s/1"><i class="tgme_widget_message_story_thumb" style="background-image:url(\'https://cdn4.telesco.pe/file/s.jpg\')"></i><div class="tgme_widget_message_story_title">Story of X</div></a>',
    ),
    "unknown block": post(
        5,
        '<div class="tgme_widget_message_newthing"><b>New</b> <a href="https://a.b/new">thing</a><br/>line</div>',
        text("t"),
    ),
    "unknown media": post(
        5,
        '<div class="tgme_widget_message_newthing"><video src="https://cdn4.telesco.pe/file/n.mp4"></video></div>',
        text("t"),
    ),
    "paid media": post(
        5,
        '<div class="tgme_widget_message_paid_media_wrap"><i class="x" style="background-image:url(\'https://cdn4.telesco.pe/file/s.jpg\')"></i><span>Unlock for 50 ⭐</span></div>',
        text("t"),
    ),
    "service": post(
        5,
        text(
            '<a class="tgme_widget_message_author_name" href="https://t.me/x"><span dir="auto">X</span></a> pinned «<span class="tgme_widget_service_strong_text" dir="auto">a *b*</span>»'
        ),
        extra_class="service_message",
    ),
    "service photo": post(
        5,
        '<a class="tgme_widget_message_service_photo" href="https://t.me/x/3"><img src="https://cdn4.telesco.pe/file/s.jpg"></a>'
        + text("Channel photo updated"),
        extra_class="service_message service_message_photo",
    ),
    "service none": post(5, extra_class="service_message"),
    "hostile names": post(
        5,
        text("x"),
        author="discord @everyone ``` clyde",
        meta='<span class="tgme_widget_message_from_author">A&#8203;</span>,&nbsp;edited &nbsp;',
    ),
    "long ru": post(5, text("<b>" + "Привет мир. " * 340 + "</b>")),
    "long code": post(5, text("<pre>" + "x = 'ы'\n" * 400 + "</pre>")),
    "long links": post(
        5,
        text(
            " ".join(
                f'<a href="https://example.org/{i}?utm_source=telegram&amp;utm_campaign=x">слово{i}</a>'
                for i in range(300)
            )
        ),
    ),
    "long quote": post(5, text("<blockquote>" + "one two<br/>" * 300 + "</blockquote>after")),
    "long spoiler": post(5, text("<tg-spoiler>" + "one ||two<br/>" * 300 + "</tg-spoiler>after")),
    "long word": post(5, text("ы" * 4096)),
    "long stars": post(5, text("*_" * 2048)),
    "long 4096 emoji": post(5, text(emoji("👨‍👩‍👧") * 800)),
    "long caption w album": post(
        5, album(*[photo(i, f"p{i}") for i in range(5, 15)], caption="слово " * 170)
    ),
    "everything": post(
        5,
        forward("N", "https://t.me/a/1"),
        reply("Ann", "q"),
        photo(5),
        text("t"),
        poll("Q", "Anonymous Poll", ("a", "1%")),
        document(7, "n", "2 KB"),
        location(),
        link_preview('<div class="link_preview_site_name">S</div><div class="link_preview_title">T</div>'),
        below=keyboard((("A", "https://a.b/c"),)),
    ),
    "group docs": post(
        5, document(5, "a.pdf", "1 KB") + text("cap a"), document(6, "b.pdf", "1 KB") + text("cap b")
    ),
    "link schemes": post(
        5,
        text(
            '<a href="tg://resolve?domain=x">a</a> <a href="mailto:a@b.c">mail</a> <a href="ton://transfer/x">t</a>'
        ),
    ),
} | {
    f"card {kind}": post(
        5,
        f'<div class="tgme_widget_message_{kind}"><div class="a">Title *x*</div>'
        f'<div>Two <a href="https://a.b/{kind}">links</a>, <a href="https://a.b/2">really</a></div>'
        f"{picture('tgme_widget_message_photo_wrap', 'c.jpg')}</div>",
        text("caption"),
    )
    for kind in ("contact", "game", "invoice", "giveaway", "paid_media", "story")
}

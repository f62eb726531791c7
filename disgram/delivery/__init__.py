"""One post, once: rendered, sent, written to the ledger, and followed when it is edited or deleted.

A new post on its way, from the worker's loop (webhook.py), which has it as a slice of the page, to its row:

    ChannelReader.parse      slice of HTML -> TelegramPost                     disgram/telegram/channel.py
    PostDelivery.deliver     download its files; for each form of `Fallback`:  post_delivery.py
      PostDelivery.render      TelegramPost -> [DiscordMessage]                disgram/discord/render.py
      MessageSync.apply        compare them with the ledger's rows             message_sync.py
        Sender.send              one message: wait for the limiter, write `attempting`, request, 2xx,
                                 write `sent` with Discord's ids               sender.py
                                 (a field that is refused is left out          refused/fields.py)
    ChannelLedger.finish     the post is `sent`, and progress moves past it    storage/channel_ledger.py

An edit begins in Follower.compare (follow.py), which finds a fingerprint that differs from the ledger's; from
ChannelReader.parse on it goes the same way, in the form the post has, and with Sender.edit where a message
changed.
"""

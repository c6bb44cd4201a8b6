"""Mail as a source: one IMAP folder, read without leaving a mark, and threads answered over SMTP.

imap -> parse -> fresh -> statements -> observe        reading (all but `imap` are pure)
connector                                             the contract
send                                                  the only module that can send a mail
explain                                               what the hub reads from one message, and why
"""

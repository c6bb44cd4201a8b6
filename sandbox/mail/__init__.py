"""The simulated mailbox: pymap for IMAP in a process of its own, aiosmtpd for delivery into it."""

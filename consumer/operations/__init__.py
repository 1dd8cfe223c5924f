"""What is done beside the delivery: commands that ask a receiver, or act on what was delivered."""

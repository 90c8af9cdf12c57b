"""What the rotation function runs. It is sent to AWS as it is, so it imports nothing of ours
but itself: the standard library, boto3 (the runtime's) and pg8000 (sent along)."""

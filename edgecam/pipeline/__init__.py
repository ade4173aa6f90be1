"""The worker layer: capture thread, detector thread, and what they measured. Plain threads, no Qt."""

"""Workers: commands of convlab in processes of their own, which tell how far they are and end with whoever started them.

For faces that stay responsive meanwhile, the terminal UI and notebooks. Nothing here imports torch, rich or textual.
"""

from convlab.workers.events import Begun, Ended, Event, Noted, Told
from convlab.workers.worker import Worker

__all__ = ["Begun", "Ended", "Event", "Noted", "Told", "Worker"]

"""What a network does on the device in hand: throughput, latency, memory and time by layer, measured by one protocol."""

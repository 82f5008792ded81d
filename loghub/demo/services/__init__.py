"""The three services of the demo's shop, and its customers. Each runs as a process of its own."""

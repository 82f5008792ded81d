"""FLOOR 4. Middleware that carries a request id through an application and on to the next one."""

"""What responses hold, as /openapi.json describes it. No response is validated while it is sent; tests do that."""

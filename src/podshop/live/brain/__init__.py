"""The brain: agents that are fed bar by bar and answer with targets. It holds no key and reaches no venue."""

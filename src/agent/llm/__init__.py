"""Language models behind our ports; the only package that imports LangChain, and only when a model is asked."""

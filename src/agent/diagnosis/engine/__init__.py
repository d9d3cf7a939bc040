"""The statistical engine: from a bundle's series, logs, spans and changes to ranked hypotheses, without a model."""

"""Text that is typed and not shown at all: neither stars nor a moving cursor tell its length."""

from __future__ import annotations

from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput


class Unseen(Processor):
    """Shows nothing of the buffer."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """Nothing, and the cursor where it began."""
        del transformation_input
        return Transformation([], source_to_display=lambda _: 0, display_to_source=lambda _: 0)

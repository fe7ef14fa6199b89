"""The questions worth a person's minutes: `assemble` puts them together, `looks`, `doubted` and `wavering` find them,
`asking` turns fields into questions, `deciding` applies the answers."""

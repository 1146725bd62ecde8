"""How fast is the portal? `bin/bench` measures it as people use it; docs/performance.md says how."""

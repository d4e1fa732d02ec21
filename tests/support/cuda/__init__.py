"""An emulated GPU, for the engine `cuda` on machines without one."""

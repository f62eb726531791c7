"""Jobs as data: what a job holds, and what each of its fields accepts. No file, no process, no answer."""

/**
 * V8's flags for the worker, which has a heap of its own for each task queue. By default V8 lets a heap double before it collects the garbage, and does
 * not shrink it again. docs/memory.md has the figures.
 */
export const WORKER_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=25'] as const;

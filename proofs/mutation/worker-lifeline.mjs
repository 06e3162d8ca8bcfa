/**
 * Loaded into Stryker's workers, which would otherwise go on for ever when Stryker is killed. Unlike the launcher's
 * lifeline it keeps its process alive: a worker without work has nothing else to live for.
 */
process.once('disconnect', () => process.exit(1));

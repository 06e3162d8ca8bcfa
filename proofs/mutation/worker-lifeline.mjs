/**
 * Loaded into Stryker's workers, which would otherwise run forever when Stryker is killed. Unlike the launcher's lifeline it keeps its process alive,
 * because an idle worker has nothing else that does.
 */
process.once('disconnect', () => process.exit(1));

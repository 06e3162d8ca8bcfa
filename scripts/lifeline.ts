/**
 * Loaded into every process that the launcher starts (`node --import`). The channel to the launcher closes when the
 * launcher dies, whatever killed it; the process then stops as it would on SIGTERM instead of living on unseen.
 */
if (process.channel !== undefined && process.channel !== null) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // Listening must not keep a process alive that has finished its work.
  process.channel.unref();
}

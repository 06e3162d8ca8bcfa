/**
 * Loaded into every process that the launcher starts (`node --import`). When the launcher dies for any reason, its channel closes and the process
 * stops as on SIGTERM, instead of running on unnoticed.
 */
if (process.channel !== undefined && process.channel !== null) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // The listener must not keep alive a process that has finished its work.
  process.channel.unref();
}

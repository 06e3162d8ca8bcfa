import { workerData } from 'node:worker_threads';

const LOOK_MS = 20;

// Runs in a thread of its own: the one that parses can be busy for minutes, and text outside of the heap has no other cap.
setInterval(() => {
  if (process.memoryUsage.rss() > (workerData as number)) {
    process.kill(process.pid, 'SIGKILL');
  }
}, LOOK_MS);

import { counts } from './counts/suite.ts';
import { fanout } from './fanout/suite.ts';
import { growth } from './growth/suite.ts';
import { latency } from './latency.ts';
import { ledger } from './ledger/suite.ts';
import { memory } from './memory/suite.ts';
import { payouts } from './payouts/suite.ts';
import { pdf } from './pdf.ts';
import { postProfile } from './post-profile.ts';
import { rival } from './rivals/suite.ts';
import { scale } from './scale/suite.ts';
import type { Suite } from './suite.ts';
import { throughput } from './throughput.ts';

/** In the order in which a full run executes them. */
export const SUITES: readonly Suite[] = [
  counts,
  throughput,
  latency,
  postProfile,
  ledger,
  growth,
  scale,
  fanout,
  memory,
  payouts,
  pdf,
  rival,
];

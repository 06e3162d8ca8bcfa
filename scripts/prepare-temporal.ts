import { prepareNamespace } from './temporal-namespace.ts';

/**
 * One-shot for a deployment: gives the namespace in `TEMPORAL_NAMESPACE` what Lenden needs before its processes start.
 * Repeating it changes nothing.
 */
const address = process.env['TEMPORAL_ADDRESS'] || '127.0.0.1:7233';
const namespace = process.env['TEMPORAL_NAMESPACE'] || 'default';
await prepareNamespace({ address, namespace });
console.log(JSON.stringify({ msg: 'temporal namespace prepared', namespace }));

// Preloaded into the process of the official Node client. Reroutes its requests from the gateway's hosts to the simulator. The client itself is
// unchanged, including its URLs.
const http = require('node:http');
const https = require('node:https');

const target = new URL(process.env.SIMULATOR_URL);
const hosts = new Set(['sandbox.sslcommerz.com', 'securepay.sslcommerz.com']);
const request = http.request;

https.request = (options, ...rest) => {
  if (!hosts.has(options.hostname)) {
    throw new Error(`Unexpected host ${options.hostname}`);
  }
  const { agent: _agent, ...kept } = options;
  return request(
    { ...kept, protocol: 'http:', hostname: target.hostname, host: target.hostname, port: target.port },
    ...rest,
  );
};

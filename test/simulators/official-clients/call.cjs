// One call of the official Node client: method and argument as JSON on the command line, the answer on standard output.
const SSLCommerzPayment = require('sslcommerz-lts');

const { live, method, data } = JSON.parse(process.argv[2]);
const [store, password] = live ? ['lenden_live', 'lenden_live@ssl'] : ['lenden_test', 'lenden_test@ssl'];
const client = new SSLCommerzPayment(store, password, live);

async function main() {
  const answer = await client[method](data);
  // The client hands a failure back as its answer.
  if (answer instanceof Error) {
    throw answer;
  }
  console.log(JSON.stringify(answer));
}

void main();

// Makes one call of the official Node client. Takes the method and argument as JSON on the command line and prints the answer.
const SSLCommerzPayment = require('sslcommerz-lts');

const { live, method, data } = JSON.parse(process.argv[2]);
const [store, password] = live ? ['lenden_live', 'lenden_live@ssl'] : ['lenden_test', 'lenden_test@ssl'];
const client = new SSLCommerzPayment(store, password, live);

async function main() {
  const answer = await client[method](data);
  // The client returns an error as its answer.
  if (answer instanceof Error) {
    throw answer;
  }
  console.log(JSON.stringify(answer));
}

void main();

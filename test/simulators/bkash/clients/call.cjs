// Makes one call of the Node client. Takes the method and arguments as JSON on the command line and prints the answer. The client reads its base URL
// from its settings, so no request is rerouted.
const bkash = require('bkash-payment');

const { method, argument } = JSON.parse(process.argv[2]);
const settings = {
  base_url: `${process.env.SIMULATOR_URL}/v1.2.0-beta`,
  username: 'lenden_test',
  password: 'lenden_test@bkash',
  app_key: 'lenden_test_app',
  app_secret: 'lenden_test_app_secret',
};

async function main() {
  const answer = await bkash[method](settings, argument);
  // The client returns an error as its answer.
  if (answer instanceof Error) {
    throw answer;
  }
  console.log(JSON.stringify(answer));
}

void main();

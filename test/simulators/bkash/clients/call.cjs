// One call of the Node client: method and arguments as JSON on the command line, the answer on standard output. It takes
// its base URL from its settings, so nothing is rerouted.
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
  // The client hands a failure back as its answer.
  if (answer instanceof Error) {
    throw answer;
  }
  console.log(JSON.stringify(answer));
}

void main();

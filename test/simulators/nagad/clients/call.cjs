// Makes one call of the published Node client. Takes the settings, method and argument as JSON on the command line and prints the answer.
const { NagadGateway } = require('nagad-payment-gateway');

const { settings, method, argument } = JSON.parse(process.argv[2]);

async function main() {
  console.log(JSON.stringify(await new NagadGateway(settings)[method](argument)));
}

void main();

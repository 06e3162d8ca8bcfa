const LENGTH_MAX = 1_024;

/** Reads a password. On a terminal it asks twice and does not show the input; from a pipe or a file it reads the first line. */
export async function readNewPassword(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Promise<string> {
  if (!input.isTTY) {
    return firstLine(input);
  }
  const password = await askHidden('Password: ', { input, output });
  if ((await askHidden('Again: ', { input, output })) !== password) {
    throw new Error('The two passwords are not the same.');
  }
  return password;
}

async function firstLine(input: NodeJS.ReadStream): Promise<string> {
  let text = '';
  for await (const chunk of input.setEncoding('utf8')) {
    text += String(chunk);
    if (text.includes('\n') || text.length > LENGTH_MAX) {
      break;
    }
  }
  return (text.split('\n')[0] ?? '').replace(/\r$/, '');
}

interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** Sets raw mode before it prints the question, because otherwise the terminal would echo the input. */
function askHidden(question: string, { input, output }: Terminal): Promise<string> {
  input.setRawMode(true);
  output.write(question);
  input.setEncoding('utf8');
  input.resume();
  return new Promise((resolve, reject) => {
    let typed = '';
    const finish = (settle: () => void): void => {
      input.off('data', take);
      input.setRawMode(false);
      input.pause();
      output.write('\n');
      settle();
    };
    const take = (keys: string): void => {
      for (const key of keys) {
        if (key === '\r' || key === '\n' || key === '\u0004') {
          finish(() => resolve(typed));
          return;
        }
        if (key === '\u0003') {
          finish(() => reject(new Error('Stopped.')));
          return;
        }
        typed =
          key === '\u007f' || key === '\b' ? [...typed].slice(0, -1).join('') : (typed + key).slice(0, LENGTH_MAX);
      }
    };
    input.on('data', take);
  });
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';

/** A mail server whose answers a test defines. */
export interface ScriptedServer {
  readonly port: number;
  /** Every command received, in order, over all connections. A message counts as one command. */
  readonly commands: string[];
  readonly connections: { total: number; open: number; mostOpen: number };
  close(): Promise<void>;
}

/**
 * The answers by the command's first word (`connect` for the greeting, `message` for the end of the data). A function controls the
 * socket itself. A command that is not listed gets a correct answer.
 */
export type Script = Readonly<Record<string, string | ((socket: Socket) => void)>>;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const GOOD: Script = {
  connect: '220 ready',
  EHLO: '250 hello',
  MAIL: '250 ok',
  RCPT: '250 ok',
  DATA: '354 go on',
  message: '250 kept',
  RSET: '250 ok',
  QUIT: '221 bye',
};

/**
 * Starts the server. With `implicit` it uses TLS from the first byte; with only a certificate, the answer `220` to STARTTLS begins TLS.
 */
export async function startScriptedServer(
  script: Script,
  { certificate, implicit = false }: { certificate?: Certificate; implicit?: boolean } = {},
): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  const commands: string[] = [];
  const connections = { total: 0, open: 0, mostOpen: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    connections.total += 1;
    connections.open += 1;
    connections.mostOpen = Math.max(connections.mostOpen, connections.open);
    socket.on('close', () => {
      connections.open -= 1;
      sockets.delete(socket);
    });
    socket.on('error', () => undefined);
    const secured = implicit && certificate !== undefined ? secure(socket, certificate) : socket;
    converse({ socket: secured, script: { ...GOOD, ...script }, commands, certificate, greet: true });
  });
  await new Promise<void>((listening) => server.listen({ host: '127.0.0.1', port: 0 }, listening));
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    connections,
    close: () =>
      new Promise((closed) => {
        sockets.forEach((socket) => socket.destroy());
        server.close(() => closed());
      }),
  };
}

function secure(socket: Socket, { key, cert }: Certificate): TLSSocket {
  const secured = new TLSSocket(socket, { isServer: true, key, cert });
  secured.on('error', () => undefined);
  return secured;
}

interface Conversation {
  readonly socket: Socket;
  readonly script: Script;
  readonly commands: string[];
  readonly certificate: Certificate | undefined;
  readonly greet: boolean;
}

function converse(given: Conversation): void {
  const { socket, script, commands, certificate } = given;
  let text = '';
  let inMessage = false;
  const answer = (name: string): void => {
    const reply = script[name] ?? '502 unknown';
    if (typeof reply === 'function') {
      reply(socket);
      return;
    }
    socket.write(`${reply}\r\n`);
    inMessage = name === 'DATA' && reply.startsWith('354');
    if (name === 'STARTTLS' && reply.startsWith('220') && certificate !== undefined) {
      socket.removeAllListeners('data');
      converse({ ...given, socket: secure(socket, certificate), greet: false });
    }
  };
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    for (;;) {
      const mark = inMessage ? '\r\n.\r\n' : '\r\n';
      const end = text.indexOf(mark);
      if (end === -1) {
        return;
      }
      const command = text.slice(0, end);
      text = text.slice(end + mark.length);
      commands.push(inMessage ? `message ${command}` : command);
      const name = inMessage ? 'message' : (command.split(/[ :]/)[0]?.toUpperCase() ?? '');
      inMessage = false;
      answer(name);
    }
  });
  if (given.greet) {
    answer('connect');
  }
}

/** Creates a self-signed certificate for 127.0.0.1, which clients trust only if configured to. */
export function makeCertificate(): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'lenden-mail-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const request =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=mail -keyout ${key} -out ${cert} ` +
    '-addext subjectAltName=IP:127.0.0.1';
  execFileSync('openssl', request.split(' '), { stdio: 'ignore' });
  const made = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  rmSync(directory, { recursive: true });
  return made;
}

// npm's oidc-provider behind addresses of Entra's shape. The first line on standard input is the task:
// { tenant, key, certificate, scopes, clients } with the server's PEM texts and the clients' metadata (RFC 7591); the first
// line on standard output is { port }. It ends with its standard input.
//
// What is ours here is where things are and the three places in which Entra differs from the standards on purpose; each says
// so. Whether a request is right is the provider's judgement alone.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';

const input = createInterface({ input: process.stdin });
const task = JSON.parse((await input[Symbol.asyncIterator]().next()).value);
process.stdin.on('end', () => process.exit());
process.stdin.resume();

// What the provider noticed: each refused request, each refresh token that was rotated out, each grant that it revoked.
const seen = { refused: [], rotated: 0, revoked: 0 };
// Every token that it gave out.
const issued = [];

const server = createServer({ key: task.key, cert: task.certificate });
await new Promise((ready) => server.listen(0, 'localhost', ready));
const { port } = server.address();
const origin = `https://localhost:${port}`;
const mount = `/${task.tenant}`;

const provider = new Provider(`${origin}${mount}/v2.0`, {
  clients: task.clients,
  jwks: { keys: [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })] },
  routes: {
    authorization: '/oauth2/v2.0/authorize',
    token: '/oauth2/v2.0/token',
    device_authorization: '/oauth2/v2.0/devicecode',
    jwks: '/discovery/v2.0/keys',
  },
  scopes: ['openid', 'offline_access', ...task.scopes],
  claims: { openid: ['sub'], profile: ['preferred_username'] },
  // Entra puts the profile into the id token; the standard leaves that to the provider, whose default is the userinfo endpoint.
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
  },
  // Each refresh token works once; whoever sends one again loses everything that came of the sign-in.
  rotateRefreshToken: true,
});
for (const event of ['authorization.error', 'grant.error', 'device_authorization.error', 'server_error', 'discovery.error', 'jwks.error']) {
  provider.on(event, (_, error) => seen.refused.push(`${event}: ${error.error_detail ?? error.error_description ?? error.message}`));
}
provider.on('grant.success', ({ body }) => issued.push(...[body.access_token, body.refresh_token].filter(Boolean)));
provider.on('refresh_token.consumed', () => { seen.rotated += 1; });
provider.on('grant.revoked', () => { seen.revoked += 1; });
const answer = provider.callback();

server.on('request', (request, response) => {
  if (request.url === '/seen' || request.url === '/issued') {
    response.end(JSON.stringify(request.url === '/seen' ? seen : issued));
    return;
  }
  if (!request.url.startsWith(`${mount}/`)) {
    response.writeHead(404).end();
    return;
  }
  // The provider takes the part before its own routes from what it is told was asked for.
  request.originalUrl = request.url;
  const url = new URL(request.url.slice(mount.length), origin);
  if (url.pathname === '/v2.0/.well-known/openid-configuration') {
    url.pathname = '/.well-known/openid-configuration';
    request.originalUrl = `${mount}${url.pathname}`;
  } else if (url.pathname === '/oauth2/v2.0/authorize' && url.searchParams.has('client_id')) {
    // Entra asks for consent by itself; the standard wants to be told, or offline_access does not count (OpenID Connect Core,
    // section 11). The account page that select_account asks for is Entra's.
    url.searchParams.set('prompt', 'consent');
    request.originalUrl = `${mount}${url.pathname}${url.search}`;
  }
  request.url = `${url.pathname}${url.search}`;
  answer(request, response);
});
console.log(JSON.stringify({ port }));

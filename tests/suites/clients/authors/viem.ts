import { type Address, createPublicClient, formatEther, type Hex, http, parseAbi, toHex } from "PACKAGE";
import { mnemonicToAccount, privateKeyToAccount } from "PACKAGE/accounts";
import { mainnet } from "PACKAGE/chains";
import { keccak256 } from "PACKAGE/utils";

const client = createPublicClient({ chain: mainnet, transport: http() });
const account = privateKeyToAccount(keccak256(toHex("key")));
const abi = parseAbi(["function balanceOf(address owner) view returns (uint256)", "function name() view returns (string)"]);
const token: Address = account.address;
export const block: Promise<bigint> = client.getBlockNumber();
export const balance: Promise<bigint> = client.readContract({ address: token, abi, functionName: "balanceOf", args: [token] });
export const name: Promise<string> = client.readContract({ address: token, abi, functionName: "name" });
export const signed: Promise<Hex> = account.signMessage({ message: "text" });
export const text: string = formatEther(1n) + mnemonicToAccount("test").address + mainnet.name;
// @ts-expect-error a block number is a number of any size
export const wrong: Promise<string> = client.getBlockNumber();
// @ts-expect-error there is no such function
client.readContract({ address: token, abi, functionName: "symbol" });
// @ts-expect-error an owner is needed
client.readContract({ address: token, abi, functionName: "balanceOf", args: [] });

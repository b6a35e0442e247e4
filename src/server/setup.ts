import { type Configuration, readConfig, secretsOf } from "../config/config.ts";
import type { LogOptions } from "../log/log.ts";
import { LogFile } from "../log/log_file.ts";
import type { Options } from "./command_line.ts";
import { facts } from "./facts.ts";
import { prepareFolder } from "./first_start.ts";
import { absolute, asFolder, exists, findFolders, type Folders } from "./folders.ts";
import { readIni } from "./ini_file.ts";

/** Facts about the program itself. */
export interface Program {
  readonly version: string;
  /** The path of the executable, or of main.ts. */
  readonly path: string;
  /** The text of www/main.lua, for a folder that is still empty. */
  readonly rootScript: string;
}

/** The folders and the configuration of a server, from the command line and the configuration file. */
export class Setup {
  /** The folder of www, absolute, with a separator at its end. */
  readonly home: string;
  readonly configuration: Configuration;
  /** Files written into an empty folder, one line each. */
  readonly prepared: readonly string[];
  readonly #folders: Folders;
  readonly #iniNeeded: boolean;

  /**
   * @throws {ConfigError} if the configuration has errors
   * @throws {StartError} if the file cannot be read, or the folder cannot be written
   */
  constructor(readonly options: Options, readonly program: Program) {
    const folders = this.#folders = findFolders(options, program.path.replace(/[^/\\]*$/, ""));
    this.prepared = options.ini ? [] : prepareFolder(folders.home, program.rootScript);
    this.#iniNeeded = options.ini !== undefined || exists(folders.ini);
    this.configuration = this.read();
    const { config, scripts } = this.configuration;
    this.home = options.dir || !config["application.dir"]
      ? folders.home
      : asFolder(absolute(config["application.dir"], folders.home));
    if (typeof scripts.application === "object") scripts.application.dir = this.home;
  }

  /** Reads the configuration again. @throws as the constructor */
  read(): Configuration {
    const { home, ini } = this.#folders;
    return readConfig(readIni(ini, this.#iniNeeded) ?? "", ini, facts(this.program.path, home));
  }

  logOptions(configuration: Configuration): LogOptions {
    const { config } = configuration;
    return {
      level: this.options.log ?? config["logs.level"],
      format: config["logs.format"],
      file: new LogFile(absolute(config["logs.directory"], this.home), config["logs.name"]),
      secrets: secretsOf(configuration),
    };
  }
}

// pm2: `pm2 start deploy/ecosystem.config.js`, from the project folder or elsewhere. Settings come from .env.
const path = require("path");
const project = path.resolve(__dirname, "..");

module.exports = {
  apps: [
    {
      name: "disgram",
      cwd: project,
      script: "main.py",
      interpreter: path.join(project, ".venv", "bin", "python"),
      // pm2 sends SIGINT and, 1.6 seconds later, SIGKILL. Workers may need longer to finish a message.
      kill_timeout: 12000,
      // The service stops its own fork server and workers; pm2 need not signal them, too.
      treekill: false,
      // A setting or jobs.json makes no sense, which a restart does not change. 75 (a taken port) may pass.
      stop_exit_codes: [2],
      exp_backoff_restart_delay: 1000,
      // One service for a data directory: never more than one instance, never a cluster.
      instances: 1,
      exec_mode: "fork",
      autorestart: true,
      watch: false,
    },
  ],
};

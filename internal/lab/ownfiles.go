package lab

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// The paths of a whole Debian's own files. The first two are in its initramfs, the
// others on its disk from the first boot on.
const (
	devicesFile = "/devices.json"                   // MAC address -> device name
	ownFilesDir = "/own-files"                      // the host's own files
	answersFile = "/var/lib/lvsctl-lab/answer.json" // its name and listeners
	madeFile    = "/var/lib/lvsctl-lab/made"        // exists if the disk has those files
)

// answerProgram is the name under which systemd runs this program on a host. Under
// that name it answers on the host's listeners.
const answerProgram = "lvsctl-lab-answer"

// answerUnit answers on the listeners and writes on the console how the boot ended.
// The service reports READY before it waits for the end of the boot: otherwise it
// would wait for its own start.
const answerUnit = `[Unit]
Description=Answers of a lab's host

[Service]
Type=notify
ExecStart=@/init ` + answerProgram + `
Restart=on-failure

[Install]
WantedBy=multi-user.target
`

// answers are a host's name and listeners, as JSON in answersFile.
type answers struct {
	Name      string
	Listeners []Listener
}

// ownFiles returns the files that make a certain host out of its system's image.
func ownFiles(h Host, system System, list []device, key keyPair, authorised string) ([]hostFile, error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, fmt.Errorf("cannot make a machine id: %w", err)
	}
	text, err := json.Marshal(answers{Name: h.Name, Listeners: h.Listeners})
	if err != nil {
		return nil, fmt.Errorf("cannot furnish %s: %w", h.Name, err)
	}
	return append(networkFiles(system, list),
		hostFile{Path: "etc/hostname", Mode: 0o644, Text: h.Name + "\n"},
		hostFile{Path: "etc/hosts", Mode: 0o644, Text: hostsText(h.Name)},
		hostFile{Path: "etc/machine-id", Mode: 0o444, Text: fmt.Sprintf("%x\n", id)},
		hostFile{Path: "etc/ssh/ssh_host_ecdsa_key", Mode: 0o600, Text: string(key.private)},
		hostFile{Path: "etc/ssh/ssh_host_ecdsa_key.pub", Mode: 0o644, Text: string(ssh.MarshalAuthorizedKey(key.public))},
		hostFile{Path: "root/.ssh/authorized_keys", Mode: 0o600, Text: authorised},
		hostFile{Path: strings.TrimPrefix(answersFile, "/"), Mode: 0o644, Text: string(text)},
		hostFile{Path: "etc/systemd/system/lab.service", Mode: 0o644, Text: answerUnit},
		hostFile{Path: "etc/systemd/system/multi-user.target.wants/lab.service", Link: "../lab.service"},
	), nil
}

// hostsText is /etc/hosts as Debian's installer writes it.
func hostsText(name string) string {
	return "127.0.0.1\tlocalhost\n127.0.1.1\t" + name + "\n::1\tlocalhost ip6-localhost ip6-loopback\n"
}

// packSystem writes the initramfs of a whole Debian. It holds what is needed to mount
// the disk, and the files that the disk gets at the first boot.
func packSystem(root *os.Root, file string, k kernel, binary string, list []device, files []hostFile) error {
	i := &image{entries: map[string]imageEntry{}, dirs: loaderDirs()}
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		i.link(dir, "usr/"+dir)
		i.dir("usr/"+dir, 0o755)
	}
	i.console()
	for _, name := range []string{"modprobe", "ip"} {
		path, err := findTool(name)
		if err != nil {
			return err
		}
		if err := i.program(path); err != nil {
			return err
		}
	}
	if err := i.executable(binary, "init"); err != nil {
		return err
	}
	if err := i.tree(filepath.Join(k.Base, "lib/modules", k.Version), "usr/lib/modules/"+k.Version); err != nil {
		return err
	}
	names := map[string]string{}
	for _, d := range list {
		if d.MAC != "" {
			names[d.MAC] = d.Name
		}
	}
	text, err := json.Marshal(names)
	if err != nil {
		return fmt.Errorf("cannot pack a host: %w", err)
	}
	i.put(devicesFile, 0o600, text)
	top := strings.TrimPrefix(ownFilesDir, "/") + "/"
	i.dir(top+"root/.ssh", 0o700)
	for _, f := range files {
		if f.Link != "" {
			i.link(top+f.Path, f.Link)
			continue
		}
		i.put(top+f.Path, f.Mode, []byte(f.Text))
	}
	return i.write(root, file)
}

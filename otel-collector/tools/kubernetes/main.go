// pod-security holds the pods of rendered manifests against the profile `restricted` of Pod Security,
// with the checks that the API server itself makes, as of each version given.
//
// usage: pod-security VERSION... < MANIFESTS
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// What a manifest with a template of pods has in common, whatever its kind.
type workload struct {
	Kind     string            `json:"kind"`
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		Template *corev1.PodTemplateSpec `json:"template"`
	} `json:"spec"`
}

func main() {
	log.SetFlags(0)
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		log.Fatal(err)
	}
	pods, broken := 0, false
	for manifests := yaml.NewYAMLReader(bufio.NewReader(os.Stdin)); ; {
		text, err := manifests.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		var it workload
		if err := yaml.Unmarshal(text, &it); err != nil {
			log.Fatal(err)
		}
		if it.Spec.Template == nil {
			continue
		}
		pods++
		for _, version := range os.Args[1:] {
			of, err := api.ParseVersion("v" + version)
			if err != nil {
				log.Fatal(err)
			}
			level := api.LevelVersion{Level: api.LevelRestricted, Version: of}
			for _, result := range evaluator.EvaluatePod(level, &it.Spec.Template.ObjectMeta, &it.Spec.Template.Spec) {
				if !result.Allowed {
					broken = true
					fmt.Printf("%s %s, %s: %s: %s\n", it.Kind, it.Metadata.Name, of, result.ForbiddenReason, result.ForbiddenDetail)
				}
			}
		}
	}
	fmt.Printf("%d pods checked\n", pods)
	if broken {
		os.Exit(1)
	}
}
